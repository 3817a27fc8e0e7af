"""Pictures of the traffic as text, page, SVG, Mermaid and CSV: the same groups, edges and signs in each."""
