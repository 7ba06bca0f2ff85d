/* quote: strs and bytes as repr() writes them. */
#ifndef HWRI_KINDS_QUOTE_H
#define HWRI_KINDS_QUOTE_H

#include "kinds/kinds.h"

/* Writes characters of a width in quotes, escaped as Python does it: those of a str, or bytes of bytes or a bytearray, of which only ASCII stands for itself. */
void hwri_write_quoted(hwri_writer *writer, const unsigned char *chars, unsigned width, size_t length, hwr_kind kind);

#endif
