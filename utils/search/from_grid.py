"""Searches that start from the best points of a grid: the recipe of chapter 5."""

import itertools
import time
from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float
from torch import Tensor

from .. import checks
from ..parameters import coordinates, ends_of
from .batched import check, search_all
from .jacobian import features_of
from .landscape import losses_at
from .match import Match

STARTS = 3  # points of a grid from which a search sets out
NEARBY = 0.06  # from the end of a search to the points around it, in search coordinates


def search_from_grid(
    synth: Callable[[Tensor], Tensor],
    phi: Callable[[Tensor], Tensor],
    targets: Float[Tensor, "K n"],
    grid: Float[Tensor, "*grid P"],
    starts: int = STARTS,
    within: bool = False,
) -> list[Match]:
    """The best of several `gauss_newton` searches for each target: the recipe of chapter 5.

    They start from those `starts` points of a grid at which the distance of features is smallest.
    From the best of their ends the search looks around: a last one starts at the best of the
    points that are 0.06 away in some search coordinates, 6 percent of a logarithmic parameter or of
    the range of a linear one: 3^P - 1 points of two parameters, 2P of more. The smallest distance
    wins; nothing else is asked. If `within`, no search leaves the ranges of the parameters.
    """
    check(synth, phi, targets, "grid", grid)
    began, points = time.perf_counter(), grid.reshape(-1, grid.shape[-1])
    to_z, from_z = coordinates(synth)
    wanted, known = features_of(phi, targets), features_of(phi, points, synth)
    checks.floating("phi(targets)", wanted)
    checks.floating("phi(synth(theta)) beside targets", known, last=wanted.shape[-1])
    count = min(starts, len(points))
    nearest = distances(wanted, known).topk(count, largest=False).indices
    best = _best(synth, phi, wanted, points[nearest], within)
    moves = _moves(grid.shape[-1])
    ends = torch.stack([match.thetas[-1] for match in best])
    z = to_z(ends)[:, None] + NEARBY * ends.new_tensor(moves)
    around = from_z(z.clamp(*ends_of(synth).to(z)) if within else z)
    near = features_of(phi, around.flatten(0, 1), synth).unflatten(0, around.shape[:2])
    closest = (near - wanted[:, None]).square().sum(-1).argmin(-1)
    again = _best(synth, phi, wanted, around.take_along_dim(closest[:, None, None], 1), within)
    spent = time.perf_counter() - began
    looked = len(points) + len(moves)
    return [
        replace(
            min(pair, key=lambda match: match.losses[-1].item()),
            evaluations=looked + sum(match.evaluations for match in pair),
            seconds=spent / len(targets),
        )
        for pair in zip(best, again, strict=True)
    ]


def search_one_from_grid(
    synth: Callable[[Tensor], Tensor],
    loss: Callable[..., Tensor],
    target: Float[Tensor, " n"],
    grid: Float[Tensor, "*grid P"],
    solve: Callable[..., Match],
    starts: int = STARTS,
) -> Match:
    """`search_from_grid` for one target, with any loss, as `solve(synth, loss, target, start)`."""
    points = grid.reshape(-1, grid.shape[-1])
    to_z, from_z = coordinates(synth)
    nearest = losses_at(synth, loss, target, points).topk(starts, largest=False).indices
    matches = [solve(synth, loss, target, start) for start in points[nearest]]
    best = min(matches, key=lambda match: match.losses[-1].item())
    around = from_z(to_z(best.thetas[-1]) + NEARBY * points.new_tensor(_moves(points.shape[-1])))
    closest = losses_at(synth, loss, target, around).argmin()
    matches.append(solve(synth, loss, target, around[closest]))
    return replace(
        min(matches, key=lambda match: match.losses[-1].item()),
        evaluations=len(points) + len(around) + sum(match.evaluations for match in matches),
        seconds=sum(match.seconds for match in matches),
    )


def _moves(count: int) -> list[tuple[int, ...]]:
    """To the neighbours of a point along `count` axes: of two, the diagonal ones included."""
    most = 2 if count <= 2 else 1
    moves = itertools.product((-1, 0, 1), repeat=count)
    return [move for move in moves if 1 <= sum(map(abs, move)) <= most]


def distances(features: Float[Tensor, "K D"], others: Float[Tensor, "G D"]) -> Tensor:
    """Euclidean distances (K, G), from differences: squares of single precision would cancel."""
    return torch.cdist(features, others, compute_mode="donot_use_mm_for_euclid_dist")


def _best(synth, phi, wanted: Tensor, starts: Tensor, within: bool) -> list[Match]:
    """For each target the search with the smallest loss, of those from its starts (K, S, P)."""
    count = starts.shape[1]
    each = wanted.repeat_interleave(count, 0)
    matches = search_all(synth, phi, each, starts.flatten(0, 1), within=within)
    groups = [matches[k : k + count] for k in range(0, len(matches), count)]
    return [
        replace(
            min(group, key=lambda match: match.losses[-1].item()),
            evaluations=sum(match.evaluations for match in group),
        )
        for group in groups
    ]
