"""The compiler: a snapshot of labelled assets and a policy in, order-free verdict tables out."""

from ringfence.compiler.compilation import Compilation, compile_policy

__all__ = ["Compilation", "compile_policy"]
