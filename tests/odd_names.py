"""Names that a folder may have, and a password too."""

ODD_NAMES = (
    "plain",
    "with space",
    " ",
    "ünï-日本",
    "a=b",
    "a#b",
    "a?b",
    "a%41b",
    "100%",
    "it's",
    'q"uote',
    "new\nline",
    "tab\t",
    "a[b]",
    "a:b@c",
    "$HOME",
    "back\\slash",
    "{folder}",
    "x" * 120,
)
