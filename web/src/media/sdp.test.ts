import { describe, expect, it } from "vitest";
import { doubled, sessionOf, uplinkPtime, voiced } from "./sdp";

const HEAD = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const AUDIO =
  "m=audio 9 UDP/TLS/RTP/SAVPF 111 63\r\na=rtpmap:111 opus/48000/2\r\na=rtpmap:63 red/48000/2\r\n";

describe("voiced", () => {
  it("asks for mono Opus at a constant bit rate in frames of 40 ms", () => {
    const sdp = voiced(HEAD + AUDIO);
    expect(sdp).toContain("a=fmtp:111 cbr=1;maxaveragebitrate=20000;stereo=0;useinbandfec=0;usedtx=0\r\n");
    expect(sdp).toContain("a=ptime:40\r\n");
  });

  it("leaves what the server has settled", () => {
    const settled = `${AUDIO}a=fmtp:111 minptime=10;useinbandfec=1\r\na=ptime:60\r\n`;
    const sdp = voiced(HEAD + settled);
    expect(sdp).toContain("a=fmtp:111 minptime=10;useinbandfec=1;cbr=1");
    expect(sdp.match(/a=ptime:/g)).toHaveLength(1);
    expect(sdp).toContain("a=ptime:60\r\n");
  });

  it("speaks to every voice line and to no other", () => {
    const sdp = voiced(`${HEAD}${AUDIO}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n${AUDIO}`);
    expect(sdp.match(/a=ptime:40/g)).toHaveLength(2);
    expect(sdp.match(/m=/g)).toHaveLength(3);
  });

  it("leaves lines without Opus alone", () => {
    const other = `${HEAD}m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`;
    expect(voiced(other)).toBe(other);
  });
});

describe("sessionOf", () => {
  it("tells a path that was moved from a new one", () => {
    expect(sessionOf("v=0\r\no=- 17 2 IN IP4 127.0.0.1\r\n")).toBe("17");
    expect(sessionOf("v=0\r\n")).toBe("");
  });
});

describe("uplinkPtime", () => {
  it("reads the first voice line", () => {
    expect(uplinkPtime(`${HEAD}${AUDIO}a=ptime:60\r\n${AUDIO}a=ptime:20\r\n`)).toBe(60);
  });

  it("is 40 ms when nothing is said", () => {
    expect(uplinkPtime(HEAD + AUDIO)).toBe(40);
    expect(uplinkPtime("")).toBe(40);
  });
});

describe("doubled", () => {
  it("puts RED first on the uplink and leaves the slots alone", () => {
    const [, uplink = "", slot = ""] = doubled(HEAD + AUDIO + AUDIO).split(/(?=^m=)/m);
    expect(uplink).toMatch(/^m=audio 9 UDP\/TLS\/RTP\/SAVPF 63 111\r\n/);
    expect(slot).toBe(AUDIO);
  });

  it("leaves an offer without RED as it is", () => {
    const plain = `${HEAD}m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\n`;
    expect(doubled(plain)).toBe(plain);
  });
});
