// Records a message with the microphone and makes it a WAV, which every server can read without guessing.

const RATE = 24_000;

export class MessageRecorder {
  #recorder: MediaRecorder | null = null;
  #starting: Promise<void> = Promise.resolve();
  #stream: MediaStream | null = null;
  #parts: Blob[] = [];

  /** Rejects as getUserMedia does. */
  start(): Promise<void> {
    this.#starting = this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    this.#stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    this.#parts = [];
    this.#recorder = new MediaRecorder(this.#stream);
    this.#recorder.ondataavailable = ({ data }) => this.#parts.push(data);
    this.#recorder.start(250);
  }

  /** Resolves to what was said, null when that is nothing. */
  async stop(): Promise<{ wav: Blob; seconds: number } | null> {
    // Let go before the microphone was there: it is closed all the same.
    await this.#starting.catch(() => undefined);
    const recorder = this.#recorder;
    if (!recorder) return null;
    await new Promise<void>((done) => {
      recorder.onstop = () => done();
      recorder.stop();
    });
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#recorder = null;
    const encoded = await new Blob(this.#parts, { type: recorder.mimeType }).arrayBuffer();
    if (encoded.byteLength === 0) return null;
    const { length, samples } = await decoded(encoded);
    return length ? { wav: wavOf(samples), seconds: length / RATE } : null;
  }
}

async function decoded(encoded: ArrayBuffer): Promise<{ length: number; samples: Float32Array }> {
  const context = new OfflineAudioContext(1, 1, RATE);
  // Decoded at the rate of the context: the browser resamples.
  const buffer = await context.decodeAudioData(encoded);
  const samples = new Float32Array(buffer.length);
  for (let channel = 0; channel < buffer.numberOfChannels; channel++) {
    const part = buffer.getChannelData(channel);
    for (let i = 0; i < part.length; i++) {
      samples[i] = (samples[i] as number) + (part[i] as number) / buffer.numberOfChannels;
    }
  }
  return { length: buffer.length, samples };
}

/** 16-bit PCM, mono, 24 kHz. */
export function wavOf(samples: Float32Array): Blob {
  const data = new DataView(new ArrayBuffer(44 + samples.length * 2));
  const text = (at: number, word: string) => {
    for (let i = 0; i < word.length; i++) data.setUint8(at + i, word.charCodeAt(i));
  };
  text(0, "RIFF");
  data.setUint32(4, 36 + samples.length * 2, true);
  text(8, "WAVEfmt ");
  data.setUint32(16, 16, true);
  data.setUint16(20, 1, true);
  data.setUint16(22, 1, true);
  data.setUint32(24, RATE, true);
  data.setUint32(28, RATE * 2, true);
  data.setUint16(32, 2, true);
  data.setUint16(34, 16, true);
  text(36, "data");
  data.setUint32(40, samples.length * 2, true);
  samples.forEach((sample, i) => {
    data.setInt16(44 + i * 2, Math.round(Math.max(-1, Math.min(1, sample)) * 32767), true);
  });
  return new Blob([data], { type: "audio/wav" });
}
