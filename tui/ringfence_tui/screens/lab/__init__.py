"""The lab: raised, looked at, taken down."""
