"""All tests: unit (a folder a package), sources, lab, conformance and the benchmarks; they have this one root."""
