"""The labels of the speech corpora whose layouts are imitated."""

#: The 35 words of Speech Commands v0.02; the ten of its usual subset first.
COMMANDS = tuple(
    "yes no up down left right on off stop go backward bed bird cat dog eight "
    "five follow forward four happy house learn marvin nine one seven sheila "
    "six three tree two visual wow zero".split()
)

#: The 31 intents of Fluent Speech Commands: action, object, location.
INTENTS = (
    ("decrease", "volume", "none"),
    ("increase", "volume", "none"),
    ("activate", "music", "none"),
    ("deactivate", "music", "none"),
    *(
        (action, thing, place)
        for action, thing in (
            ("activate", "lights"),
            ("deactivate", "lights"),
            ("increase", "heat"),
            ("decrease", "heat"),
        )
        for place in ("none", "kitchen", "bedroom", "washroom")
    ),
    ("activate", "lamp", "none"),
    ("deactivate", "lamp", "none"),
    *(("bring", thing, "none") for thing in ("juice", "newspaper")),
    *(("bring", thing, "none") for thing in ("shoes", "socks")),
    *(
        ("change language", tongue, "none")
        for tongue in ("none", "Chinese", "English", "German", "Korean")
    ),
)


def transcribe(action: str, thing: str, place: str) -> str:
    """A sentence for an intent.

    Example
    -------
    >>> transcribe("activate", "lights", "kitchen")
    'Activate the lights in the kitchen'
    >>> transcribe("decrease", "volume", "none")
    "That's loud, decrease the volume"
    """
    if (action, thing) == ("decrease", "volume"):
        # The comma makes the table quote the sentence, as some originals do.
        return "That's loud, decrease the volume"
    if action == "change language":
        return "Change the language" + (
            "" if thing == "none" else f" to {thing}"
        )
    where = "" if place == "none" else f" in the {place}"
    return f"{action.capitalize()} the {thing}{where}"
