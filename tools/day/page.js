const root = document.documentElement;
const languages = [...document.querySelectorAll(".languages button")];
const speak = (lang) => {
  root.lang = lang;
  for (const each of languages) each.setAttribute("aria-pressed", String(each.value === lang));
};
for (const each of languages) each.onclick = () => speak(each.value);
speak(navigator.language.startsWith("zh") ? "zh-CN" : "en");

const large = document.querySelector("dialog");
for (const each of document.querySelectorAll(".pictures button"))
  each.onclick = () => {
    large.querySelector("img").src = each.querySelector("img").src;
    large.showModal();
  };
large.onclick = () => large.close();

const voices = [...document.querySelectorAll(".voice")];
let after = false;
for (const voice of voices) {
  const audio = voice.querySelector("audio");
  const bars = [...voice.querySelectorAll("rect")];
  const key = voice.querySelector(".play");
  const marks = document.querySelectorAll(`[data-plays="${voice.id}"]`);
  audio.controls = false;
  key.hidden = false;
  const length = () => Number.isFinite(audio.duration) ? audio.duration : Number(voice.dataset.seconds);
  const draw = () => {
    const past = (audio.currentTime / length()) * bars.length;
    bars.forEach((bar, at) => bar.classList.toggle("past", at < past));
    key.textContent = audio.paused ? "▶" : "❚❚";
    for (const mark of marks) mark.classList.toggle("now", !audio.paused);
    if (!audio.paused) requestAnimationFrame(draw);
  };
  audio.onplay = () => {
    for (const other of document.querySelectorAll("audio")) if (other !== audio) other.pause();
    draw();
  };
  audio.onpause = draw;
  audio.onended = () => {
    audio.currentTime = 0;
    draw();
    if (after) voices[voices.indexOf(voice) + 1]?.start();
  };
  voice.start = () => {
    audio.currentTime = 0;
    return audio.play();
  };
  key.onclick = () => {
    after = false;
    return audio.paused ? audio.play() : audio.pause();
  };
  voice.querySelector("svg").onclick = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    audio.currentTime = ((event.clientX - box.left) / box.width) * length();
    if (audio.paused) audio.play();
  };
  for (const mark of marks)
    mark.onclick = () => {
      after = false;
      voice.start();
    };
}
const whole = document.querySelector(".whole");
if (whole)
  whole.onclick = () => {
    after = true;
    voices[0]?.start();
  };
