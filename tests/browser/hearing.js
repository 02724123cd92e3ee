// Records what a person would say and hear: the samples of a MediaStream as they are captured or decoded, and when, on the
// clock that all pages of one machine share (ms since the epoch). Injected by the tests; no part of the product.
//
// The samples are taken from the track itself: an AudioContext between would drop 10 ms of its own on a busy machine.
const LOOK_AHEAD = 50;
const GAP_MS = 5;
const PATIENCE_MS = 30_000;
window.hearing = {
  record(stream, name) {
    const [track] = stream.getAudioTracks();
    const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 1000 }).readable.getReader();
    const kept = [];
    // A captured track comes at the rate of its device, which may be another than that of decoded voice.
    const recording = { kept, rate: 0 };
    this[name] = recording;
    const read = async () => {
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        recording.rate ||= value.sampleRate;
        if (value.sampleRate !== recording.rate) throw new Error(`${recording.rate} Hz became ${value.sampleRate} Hz`);
        const samples = new Float32Array(value.numberOfFrames);
        value.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        kept.push({ samples, at: performance.timeOrigin + performance.now() });
        value.close();
      }
    };
    read();
    return new Promise((resolve, reject) => {
      const latest = performance.now() + PATIENCE_MS;
      const look = () => {
        if (kept.length) resolve();
        else if (performance.now() > latest) reject(new Error(`no sound from ${track.label}`));
        else setTimeout(look, 10);
      };
      look();
    });
  },
  // {start: epoch ms of the first sample, rate: samples a second, pcm: base64 of 16-bit little-endian samples, gap: ms}
  taken(name) {
    const { rate } = this[name];
    const kept = this[name].kept.slice();
    // A chunk may be read late, never early: where it belongs is told by the quickest of those that follow. One that all
    // follow late stands after a gap in which the device asked for nothing.
    const places = [];
    let end = 0;
    for (const { samples } of kept) {
      places.push(end);
      end += samples.length;
    }
    const lead = kept.map((k, i) => k.at - ((places[i] + k.samples.length) / rate) * 1000);
    const start = Math.min(...lead.slice(0, LOOK_AHEAD));
    let gap = 0;
    for (let i = 0; i < kept.length; i++) {
      const late = Math.min(...lead.slice(i, i + LOOK_AHEAD)) - start - (gap / rate) * 1000;
      if (late > GAP_MS && i + LOOK_AHEAD <= kept.length) gap += Math.round((late / 1000) * rate);
      places[i] += gap;
    }
    const pcm = new Int16Array(end + gap);
    for (const [i, { samples }] of kept.entries()) {
      for (let j = 0; j < samples.length; j++) pcm[places[i] + j] = Math.max(-32768, Math.min(32767, samples[j] * 32768));
    }
    const bytes = new Uint8Array(pcm.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { start, rate, pcm: btoa(text), gap: (gap / rate) * 1000 };
  },
};
