// The words of sharing the place in both languages.

export const placeZh = {
  place_share: "共享我的位置",
  place_off: "未共享位置",
  place_waiting: "正在询问服务器…",
  place_off_duty: "未在岗，不上报位置",
  place_refused: "浏览器未允许定位，请在设置中允许",
  place_every: "在岗，每 {seconds} 秒上报一次",
  place_position: "定位（本机）：误差 {metres} 米，{age} 秒前",
  place_no_position: "定位：暂无",
  place_battery: "电量（本机）：{percent} %",
  place_no_cell: "基站：无（浏览器不提供）",
} as const;

export const placeEn: Record<keyof typeof placeZh, string> = {
  place_share: "Share my place",
  place_off: "Not shared",
  place_waiting: "Asking the server…",
  place_off_duty: "Off duty: nothing is told",
  place_refused: "The browser does not allow it: see its settings",
  place_every: "On duty: told every {seconds} s",
  place_position: "Position (device): ±{metres} m, {age} s ago",
  place_no_position: "Position: none yet",
  place_battery: "Battery (device): {percent} %",
  place_no_cell: "Cell: none (a browser knows none)",
};
