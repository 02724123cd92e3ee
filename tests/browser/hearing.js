// Records what a person would say and hear: every sample of a MediaStream with the time it was rendered at, on the
// clock all pages of one machine share (ms since the epoch). Injected by the tests; no part of the product.
window.hearing = {
  async record(stream, name) {
    const context = new AudioContext({ sampleRate: 48000 });
    const worklet = `registerProcessor("tap", class extends AudioWorkletProcessor {
      constructor() { super(); this.parts = []; this.frames = 0; this.first = 0; }
      process(inputs) {
        const channel = inputs[0][0];
        if (!this.frames) this.first = currentFrame;
        this.parts.push(channel ? channel.slice() : new Float32Array(128));
        this.frames += 128;
        if (this.frames >= 4800) {
          this.port.postMessage({ first: this.first, parts: this.parts });
          this.parts = []; this.frames = 0;
        }
        return true;
      }
    });`;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([worklet], { type: "text/javascript" })));
    const tap = new AudioWorkletNode(context, "tap", { numberOfInputs: 1, numberOfOutputs: 1, channelCount: 1 });
    const kept = [];
    tap.port.onmessage = ({ data }) => {
      const samples = new Float32Array(data.parts.length * 128);
      data.parts.forEach((part, i) => samples.set(part, i * 128));
      const clock = context.getOutputTimestamp();
      kept.push({ first: data.first, samples, context: clock.contextTime, at: performance.timeOrigin + clock.performanceTime });
    };
    context.createMediaStreamSource(stream).connect(tap);
    const mute = new GainNode(context, { gain: 0 });
    tap.connect(mute).connect(context.destination);
    await context.resume();
    this[name] = { kept, context };
  },
  // {start: epoch ms of the first sample, pcm: base64 of 16-bit little-endian samples at 48 kHz}
  async taken(name) {
    const { kept } = this[name];
    const offsets = kept.filter((k) => k.context > 0).map((k) => k.at - k.context * 1000).sort((a, b) => a - b);
    const offset = offsets[offsets.length >> 1];
    const first = kept[0].first;
    const last = kept[kept.length - 1];
    const pcm = new Int16Array(last.first + last.samples.length - first);
    for (const k of kept) for (let i = 0; i < k.samples.length; i++) pcm[k.first - first + i] = Math.max(-32768, Math.min(32767, k.samples[i] * 32768));
    const bytes = new Uint8Array(pcm.buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    return { start: offset + (first / 48000) * 1000, pcm: btoa(text) };
  },
};
