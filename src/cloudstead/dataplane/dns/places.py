"""Where clients and regions are, and how far apart.

AWS does not publish its table of latencies. Ours is a model, and says so: the nearer region is the quicker one, along
the great circle. A region's coordinates are those of the metropolitan area it is named after.
"""

import math

from cloudstead.dataplane.dns.zones import Place

_EARTH_RADIUS_KM = 6371.0

REGIONS: dict[str, tuple[float, float]] = {
    "af-south-1": (-33.93, 18.42),
    "ap-east-1": (22.32, 114.17),
    "ap-east-2": (25.03, 121.57),
    "ap-northeast-1": (35.68, 139.69),
    "ap-northeast-2": (37.57, 126.98),
    "ap-northeast-3": (34.69, 135.50),
    "ap-south-1": (19.08, 72.88),
    "ap-south-2": (17.39, 78.49),
    "ap-southeast-1": (1.35, 103.82),
    "ap-southeast-2": (-33.87, 151.21),
    "ap-southeast-3": (-6.21, 106.85),
    "ap-southeast-4": (-37.81, 144.96),
    "ap-southeast-5": (3.14, 101.69),
    "ap-southeast-6": (-36.85, 174.76),
    "ap-southeast-7": (13.76, 100.50),
    "ca-central-1": (45.50, -73.57),
    "ca-west-1": (51.05, -114.07),
    "cn-north-1": (39.90, 116.41),
    "cn-northwest-1": (37.51, 105.20),
    "eu-central-1": (50.11, 8.68),
    "eu-central-2": (47.38, 8.54),
    "eu-north-1": (59.33, 18.07),
    "eu-south-1": (45.46, 9.19),
    "eu-south-2": (41.65, -0.88),
    "eu-west-1": (53.35, -6.26),
    "eu-west-2": (51.51, -0.13),
    "eu-west-3": (48.86, 2.35),
    "il-central-1": (32.09, 34.78),
    "me-central-1": (24.45, 54.38),
    "me-south-1": (26.23, 50.59),
    "mx-central-1": (20.59, -100.39),
    "sa-east-1": (-23.55, -46.63),
    "us-east-1": (39.04, -77.49),
    "us-east-2": (39.96, -83.00),
    "us-gov-east-1": (39.96, -83.00),
    "us-gov-west-1": (45.84, -119.70),
    "us-west-1": (37.35, -121.96),
    "us-west-2": (45.84, -119.70),
}

#: Where a client is taken to be of whom nothing is known: in no country, and near the first of all regions.
UNKNOWN = Place()
_UNKNOWN_AT = REGIONS["us-east-1"]


def distance_km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Along the great circle, by the haversine."""
    latitude, other_latitude = math.radians(one[0]), math.radians(other[0])
    across = math.sin(math.radians(other[1] - one[1]) / 2) ** 2
    up = math.sin((other_latitude - latitude) / 2) ** 2
    h = up + math.cos(latitude) * math.cos(other_latitude) * across
    return 2 * _EARTH_RADIUS_KM * math.asin(min(1.0, math.sqrt(h)))


def biased_km(distance: float, bias: int) -> float:
    """A positive bias draws clients nearer, a negative one pushes them away."""
    return distance * (1 - bias / 100) if bias > 0 else distance / (1 + bias / 100)


def coordinates(place: Place) -> tuple[float, float]:
    if place.latitude is None or place.longitude is None:
        return _UNKNOWN_AT
    return place.latitude, place.longitude
