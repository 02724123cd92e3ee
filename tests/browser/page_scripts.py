"""What the tests of manners run in an officer's page: what it hears and shows, and how a key is lost."""

from __future__ import annotations

SEEN = "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))"
LISTENING = "Number(document.querySelector('.presence').innerText.match(/[0-9]+/g)[1])"
"""How many of the selected group a page says are listening."""
COUNT = f"""
    window.counted = [{LISTENING}];
    new MutationObserver(() => counted.push({LISTENING}))
        .observe(document.querySelector('.presence'), {{characterData: true, childList: true, subtree: true}});
"""
"""Keeps each number that is shown from now on."""
HEARS = "__poc.events.some(e => e.name === 'listening' && e.reason === null)"
"""The page has told the server that it listens."""
FELL = "counted.some((count, at) => count < Math.max(...counted.slice(0, at)))"
HEARD = """async () => Math.max(...[...(await __poc.peer.getStats()).values()]
    .filter(entry => entry.type === 'inbound-rtp').map(entry => entry.packetsReceived))"""
HEARD_MORE = f"async before => await ({HEARD})() > before + 10"
QUIET = f"""async () => {{
    const packets = {HEARD};
    for (let before = -1, now = await packets(); now !== before; before = now, now = await packets())
        await new Promise(done => setTimeout(done, 200));
}}"""
"""The last words of a phone whose uplink stood still are relayed behind the release."""
HOLD_SOUND = """() => {
    const clock = Object.getOwnPropertyDescriptor(BaseAudioContext.prototype, 'currentTime');
    const stopped = {configurable: true, get() { return this.stoppedAt ??= clock.get.call(this); }};
    Object.defineProperty(BaseAudioContext.prototype, 'currentTime', stopped);
    window.letSoundGoOn = () => Object.defineProperty(BaseAudioContext.prototype, 'currentTime', clock);
}"""
"""The clock of sound stands still, as in a page whose system took the sound away when it was hidden."""
LOST_KEYS = {
    "key up": "",
    "window blurred": "dispatchEvent(new Event('blur'))",
    "pointer cancelled": """document.querySelector('.talk').dispatchEvent(
        new PointerEvent('pointercancel', {pointerId: 1, bubbles: true}))""",
    "page hidden": """Object.defineProperty(document, 'hidden', {configurable: true, get: () => true});
        document.dispatchEvent(new Event('visibilitychange'))""",
    "page left": "dispatchEvent(new PageTransitionEvent('pagehide'))",
}
