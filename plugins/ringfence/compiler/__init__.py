"""The compiler: a snapshot of labelled assets and a policy in, order-free verdict tables out."""

from ringfence.compiler.compilation import Compilation, compile_policy
from ringfence.compiler.recompilation import Recompiler

__all__ = ["Compilation", "Recompiler", "compile_policy"]
