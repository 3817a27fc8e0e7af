"""The nouns of Ringfence: addresses, assets, labels, selectors, services, rules, flows, verdicts. Values only."""
