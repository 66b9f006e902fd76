// Walks through an XML document of the plain kind that stores write: a fifth of the time that a
// real parser takes. What is not certainly plain is left to one (xml_reader.h).
#pragma once

#include <string_view>

#include "batch/store/xml_reader.h"

namespace ferry {

// Plain is: ASCII without "]", elements with names of letters and digits and no attribute but
// xmlns, text, the five named entities and the two that Go writes instead of quotes; no comment,
// section, instruction, or document type. Below the bounds of xml_reader.h.
//
// True: `visitor` saw what WalkXml would have shown it. False: the document is something else, or
// not well-formed, and `visitor` saw the beginning of what WalkXml would show it: it is to be
// thrown away. Throws what the visitor throws.
bool WalkPlainXml(std::string_view body, XmlVisitor& visitor);

}  // namespace ferry
