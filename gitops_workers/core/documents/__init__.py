"""The documents that processes and releases keep for each other: each kind's class, key, writer and version, one codec.

`kinds` declares them all; what may be in it besides: the codec, what reading does with a document that it cannot read,
and the small classes that belong to no other subject. A release and the one before it run side by side during every
upgrade and after every roll-back, so these rules hold in both directions:

* a field that is unknown here is ignored, one that is missing has its default: whoever adds a field gives it a default;
* a change that a reader must not ignore raises the kind's version, which is written from 2 on, and a document of a
  later version than the reader's is unreadable;
* an unreadable document that is derived counts as absent and is written anew; where absent would mean "nothing is
  there" (objects that changed, the copy of a record), it reads as "anything may be there";
* an unreadable document that is a person's will is never less than what was asked: a request is refused with a reason,
  a suspension holds, a deletion waits.
"""
