"""What the help page says, in both languages. Android's names are those of version 14, the iPhone's those of iOS 17."""

from __future__ import annotations

from signaling.words import Language

WORDS: dict[Language, dict[str, str]] = {
    "zh-CN": {
        "lang": "zh-CN",
        "title": "让这部手机连上对讲",
        "why": "麦克风只在安全连接（HTTPS）下可用。这台服务器用自己的证书；请先在手机上安装一次，"
        "它只对本地网络的地址有效。",
        "trusted": "这部手机已信任该证书。",
        "untrusted": "这部手机尚未信任该证书，请按下面的步骤安装。",
        "checking": "正在检查…",
        "download": "① 下载证书",
        "install": "② 安装证书",
        "go": "③ 打开对讲",
        "android": "安卓 / 鸿蒙",
        "android_how": "设置 → 安全 → 加密与凭据 → 安装证书 → <b>CA 证书</b> → 仍然安装 → "
        "选择刚下载的 poc-server-ca.crt。各品牌菜单略有不同，可在设置里搜索“证书”。",
        "ios": "iPhone / iPad（用 Safari 打开本页）",
        "ios_how": "允许下载描述文件 → 设置 → 已下载描述文件 → 安装。然后 设置 → 通用 → 关于本机 → 证书信任设置 → "
        "<b>打开 poc-server LAN 的开关</b>。",
        "computer": "电脑",
        "computer_how": "Windows：双击证书 → 安装证书 → 受信任的根证书颁发机构。macOS：双击 → 钥匙串访问 → 始终信任。"
        "Chrome（Linux）：设置 → 隐私和安全 → 证书 → 导入。",
        "wechat": "在微信里打开的？点右上角 ⋯ → 在浏览器打开。",
        "scan": "用手机扫一扫",
        "remove": "不再试用时，可在同一菜单里删除该证书。",
        "fingerprint": "证书指纹（SHA-256），与终端里显示的应一致：",
        "other": "English",
    },
    "en": {
        "lang": "en",
        "title": "Get this phone on the air",
        "why": "The microphone works only over a secure connection (HTTPS). This server uses a certificate of its own; "
        "install it on the phone once. It is good for addresses of the local network only.",
        "trusted": "This phone trusts the certificate.",
        "untrusted": "This phone does not trust the certificate yet: please install it as below.",
        "checking": "Checking…",
        "download": "① Download the certificate",
        "install": "② Install it",
        "go": "③ Open the radio",
        "android": "Android / HarmonyOS",
        "android_how": "Settings → Security → Encryption &amp; credentials → Install a certificate → "
        "<b>CA certificate</b> → Install anyway → choose poc-server-ca.crt. Menus differ between makers: "
        "search the settings for “certificate”.",
        "ios": "iPhone / iPad (open this page in Safari)",
        "ios_how": "Allow the download of the profile → Settings → Profile Downloaded → Install. Then Settings → "
        "General → About → Certificate Trust Settings → <b>switch poc-server LAN on</b>.",
        "computer": "Computer",
        "computer_how": "Windows: double-click → Install Certificate → Trusted Root Certification Authorities. "
        "macOS: double-click → Keychain Access → Always Trust. "
        "Chrome on Linux: Settings → Privacy and security → Certificates → Import.",
        "wechat": "Opened inside WeChat? Tap ⋯ at the top right → Open in Browser.",
        "scan": "Scan with the phone",
        "remove": "When you are done trying, remove the certificate in the same menu.",
        "fingerprint": "Fingerprint (SHA-256); it should be the one shown in the terminal:",
        "other": "中文",
    },
}
