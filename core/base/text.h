/* Text: a bounded builder with a small printf, and number parsing. No locale, no allocation.
 *
 * The builder keeps its buffer NUL-terminated at every moment. What does not fit is cut, and
 * `cut` is set. */
#ifndef LB_BASE_TEXT_H
#define LB_BASE_TEXT_H

#include "core/base/bytes.h"
#include <stdarg.h>

struct lb_text {
    char *at;   /* the buffer, the caller's */
    size_t len; /* bytes written, without the NUL */
    size_t cap; /* the buffer's size, at least 1 */
    bool cut;
};

/* An empty text in the caller's buffer. cap, at least 1, is its size with the NUL. */
struct lb_text lb_text(char *buffer, size_t cap);
/* A subset of printf: %s %.*s %c %d %u %x %X, with l, ll and z, widths (%8s %-8s %*s %08x), and %%.
 * 64-bit values are cast to (unsigned) long long. Any other conversion asserts. */
void lb_text_add(struct lb_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* lb_text_add for a caller that has a va_list. */
void lb_text_addv(struct lb_text *text, const char *format, va_list arguments)
    __attribute__((format(printf, 2, 0)));
void lb_text_hex(struct lb_text *text, struct lb_bytes bytes); /* lower case, no separators */
/* Bytes of a peer, made fit for a terminal and a log: printable ASCII and valid UTF-8 as it is, all
 * else as \xNN: controls, and also code points that hide, turn or break the text around them. */
void lb_text_untrusted(struct lb_text *text, struct lb_bytes bytes);
/* What a person, a file or a kernel command line gave, for an error's facts: as lb_text_untrusted,
 * its first `most` bytes. Nothing of it is shown where a secret may be in it: where it has an @, as
 * in USER:SECRET@HOST. */
void lb_text_given(struct lb_text *text, struct lb_bytes bytes, size_t most);
/* Whether lb_text_untrusted would leave it as it is: UTF-8 without controls (C0, DEL, C1) and
 * without what hides, turns or breaks the text around it. */
bool lb_text_is_fit(struct lb_bytes bytes);
/* A JSON string with its quotes (RFC 8259). What is not fit for a terminal is escaped as \uNNNN, so
 * that a report that is shown does no harm; a byte that is not UTF-8 becomes \u00NN. */
void lb_text_json(struct lb_text *text, struct lb_bytes bytes);
/* One call: format into a buffer. */
void lb_format(char *buffer, size_t cap, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "3.2 GiB". */
struct lb_size_text {
    char s[24];
};
/* A count of bytes for people, by value: in units of 1024, with one digit after the point from KiB
 * on, cut and not rounded. */
struct lb_size_text lb_size_text(uint64_t bytes);

/* Decimal digits only, no sign, no space, no empty text, no more than max. False leaves *value. */
bool lb_parse_u64(struct lb_bytes text, uint64_t max, uint64_t *value);
/* Hexadecimal digits only, 1 to 16 of them. */
bool lb_parse_hex_u64(struct lb_bytes text, uint64_t *value);
int lb_hex_digit(uint8_t c); /* 0..15, or -1 */
/* Hex pairs, optional ':' between them, into room; *len is what was written. False leaves *len. */
bool lb_parse_hex_bytes(struct lb_bytes text, struct lb_span room, size_t *len);

size_t lb_strlen(const char *text);          /* bytes before the NUL */
bool lb_streq(const char *a, const char *b); /* whether two NUL-terminated texts are the same */
/* Whether bytes are the NUL-terminated text. */
bool lb_text_is(struct lb_bytes bytes, const char *text);
/* Copies text into a fixed array, NUL-terminated; false (and an empty array) when it does not fit
 * or holds a NUL. */
bool lb_text_copy(char *to, size_t cap, struct lb_bytes from);
/* The length of the UTF-8 sequence that bytes (not empty) start with, and its code point; 0 where
 * there is none (RFC 3629: shortest form, no surrogates, up to U+10FFFF). */
size_t lb_utf8_next(struct lb_bytes bytes, uint32_t *code_point);
/* Whether all of bytes is UTF-8 as lb_utf8_next takes it; empty is. */
bool lb_utf8_is_valid(struct lb_bytes bytes);
uint8_t lb_ascii_lower(uint8_t c); /* A-Z become a-z; every other byte stays */
/* Whether bytes begin with this word, which is in lower case, in any case. */
bool lb_text_begins(struct lb_bytes bytes, const char *lower);

/* Without blanks, tabs and line ends at either end. */
struct lb_bytes lb_bytes_trim(struct lb_bytes bytes);

/* Splits text at its first mark: *before and *after are what stands on its two sides. False: there
 * is no mark; *before is the whole text and *after is empty. Both point into text. */
bool lb_split_at(struct lb_bytes text, char mark, struct lb_bytes *before, struct lb_bytes *after);
/* A UUID between the two orders of its bytes: that of its text (RFC 4122 4.1.2) and that of EFI and
 * SMBIOS, where the first three fields are little-endian. The same call converts either way. */
void lb_uuid_swap(const uint8_t from[16], uint8_t to[16]);

/* Takes the next item of a list with the given separator off *list, white space around it removed;
 * items between separators may be empty. False when no bytes are left. */
bool lb_list_next(struct lb_bytes *list, char separator, struct lb_bytes *item);
/* Whether a list with commas has this name, compared without regard to case; an item that ends in *
 * stands for all that begin so. */
bool lb_list_has_name(struct lb_bytes list, const char *name);

#endif
