/* A test program in TAP (Test Anything Protocol) with a point for each test function:
 *
 *     static void a_nak_sends_us_back_to_discover(void)
 *     {
 *         CHECK_EQ(client.state, LB_DHCP4_INIT);
 *     }
 *
 *     int main(void)
 *     {
 *         TEST(a_nak_sends_us_back_to_discover);
 *         return tap_done();
 *     }
 *
 * A failed check prints file, line and values and makes the point "not ok"; the function goes on,
 * unless it asks: `if (!CHECK(n == 3)) return;`. Every check gives whether it held. */
#ifndef LB_TESTS_TAP_H
#define LB_TESTS_TAP_H

#include "core/base/bytes.h"

#define TEST(function) tap_run(#function, function)

#define CHECK(condition) tap_check(__FILE__, __LINE__, #condition, (condition))
/* Integers of any type, compared and shown as 64 bits. */
#define CHECK_EQ(a, b) tap_check_eq(__FILE__, __LINE__, #a, #b, (uint64_t)(a), (uint64_t)(b))
/* NUL-terminated strings; NULL is allowed. */
#define CHECK_STR(a, b)   tap_check_str(__FILE__, __LINE__, #a, #b, (a), (b))
#define CHECK_BYTES(a, b) tap_check_bytes(__FILE__, __LINE__, #a, #b, (a), (b))
/* NUL-terminated strings: `part` stands somewhere in `whole`. */
#define CHECK_HAS(whole, part) tap_check_has(__FILE__, __LINE__, #whole, (whole), (part))

/* Runs a test function and prints its point; use TEST. */
void tap_run(const char *name, void (*function)(void));
/* Shows a point as skipped, with the reason. */
void tap_skip(const char *name, const char *reason);
/* Prints the plan; gives main's exit status. */
int tap_done(void);
/* A comment line of the output. */
void tap_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The functions behind the CHECK macros: each prints what failed, and gives whether it held. */
bool tap_check(const char *file, int line, const char *what, bool holds);
/* Behind CHECK_EQ; shows both numbers. */
bool tap_check_eq(const char *file, int line, const char *a_text, const char *b_text, uint64_t a,
                  uint64_t b);
/* Behind CHECK_STR; shows both texts. */
bool tap_check_str(const char *file, int line, const char *a_text, const char *b_text,
                   const char *a, const char *b);
/* Behind CHECK_BYTES; shows both, and where they differ first. */
bool tap_check_bytes(const char *file, int line, const char *a_text, const char *b_text,
                     struct lb_bytes a, struct lb_bytes b);
/* Behind CHECK_HAS; shows the text. */
bool tap_check_has(const char *file, int line, const char *text, const char *whole,
                   const char *part);

/* "0a 0b:0c 0d0e" as bytes: hex pairs with anything blank, ':' or '-' between them, and comments
 * from '#' to the end of the line. Anything else ends the program. The memory is static: it holds
 * the last 64 KiB of what was asked for, and is zeroed by no one. */
struct lb_bytes tap_hex(const char *hex);

#endif
