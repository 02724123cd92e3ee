// 地图的用词。Words of the maps.

export const mapZh = {
  map_empty: "还没有位置",
  map_failed: "地图未能加载",
  map_nearer: "放大",
  map_farther: "缩小",
  map_all: "全部",
  map_fresh: "2 分钟内",
  map_ageing: "10 分钟内",
  map_stale: "已过时",
  map_sight: "画面",
  map_take_sight: "以画面为区域",
  map_draw_hint: "在地图上拖动画一圈，或取画面",
  map_crossing: "线条交叉，请重画",
  map_no_places: "还没有人上报位置",
  map_inside: "圈内 {count} 人",
};
