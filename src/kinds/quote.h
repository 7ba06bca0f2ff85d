/* quote: strs and bytes as repr() writes them. */
#ifndef HWRI_KINDS_QUOTE_H
#define HWRI_KINDS_QUOTE_H

#include "kinds/kinds.h"

/* Writes `length` characters of a width in quotes, the same as Python would, with escapes: those of a str, or bytes, of which only ASCII is written as it is. */
void hwri_write_quoted(hwri_writer *writer, const unsigned char *chars, unsigned width, size_t length, bool is_text);

#endif
