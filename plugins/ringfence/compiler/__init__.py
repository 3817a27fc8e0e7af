"""The compiler: a snapshot of labelled assets and a policy in, order-free verdict tables out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ringfence.lazy_names import lazy_names

if TYPE_CHECKING:
    from ringfence.compiler.compilation import Compilation, compile_policy
    from ringfence.compiler.recompilation import Recompiler

__all__ = ["Compilation", "Recompiler", "compile_policy"]

__getattr__ = lazy_names(__name__, {"compilation": ("Compilation", "compile_policy"), "recompilation": ("Recompiler",)})
