"""From one datum to another: GCJ-02, which Chinese maps use, lies 50–700 m beside WGS-84.

The shift is the published polynomial on the Krasovsky ellipsoid; it has no closed inverse, so the way back iterates
until it stands (error below 1 mm). Outside mainland China's bounding box both are the same.
"""

from __future__ import annotations

from math import cos, pi, sin, sqrt

from gateway.incidents.incident import Datum, Point

_AXIS_M = 6_378_245.0
_ECCENTRICITY = 0.006_693_421_622_965_943
_ROUNDS = 10
_STANDS_DEG = 1e-10


def convert(point: Point, datum: Datum) -> Point:
    """``point`` in ``datum``. CGCS2000 and WGS-84 are taken as the same."""
    if (point.datum is Datum.GCJ02) == (datum is Datum.GCJ02):
        return Point(point.lon, point.lat, datum)
    shift = _to_gcj02 if datum is Datum.GCJ02 else _from_gcj02
    return Point(*shift(point.lon, point.lat), datum)


def _outside_china(lon: float, lat: float) -> bool:
    return not (72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271)


def _to_gcj02(lon: float, lat: float) -> tuple[float, float]:
    if _outside_china(lon, lat):
        return lon, lat
    east, north = _offset(lon - 105.0, lat - 35.0)
    phi = lat * pi / 180.0
    flat = 1 - _ECCENTRICITY * sin(phi) ** 2
    meridian = _AXIS_M * (1 - _ECCENTRICITY) / (flat * sqrt(flat))
    parallel = _AXIS_M / sqrt(flat) * cos(phi)
    return lon + east * 180.0 / (parallel * pi), lat + north * 180.0 / (meridian * pi)


def _from_gcj02(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon, lat
    for _ in range(_ROUNDS):
        there_lon, there_lat = _to_gcj02(x, y)
        dx, dy = lon - there_lon, lat - there_lat
        x, y = x + dx, y + dy
        if abs(dx) < _STANDS_DEG and abs(dy) < _STANDS_DEG:
            break
    return x, y


def _offset(x: float, y: float) -> tuple[float, float]:
    """Metres east and north, of degrees east of 105°E and north of 35°N."""
    root = sqrt(abs(x))
    ripple = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + ripple
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + ripple
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    return east, north
