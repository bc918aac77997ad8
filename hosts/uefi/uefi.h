/* What the files of this host share: the system table, the clock, the console. */
#ifndef LB_UEFI_H
#define LB_UEFI_H

#include "core/base/text.h"
#include <efi.h>

extern EFI_SYSTEM_TABLE *st;
extern EFI_BOOT_SERVICES *bs;
extern EFI_HANDLE self; /* our image */

/* clock.c. The counter of the processor, measured once against the firmware's Stall. */
void clock_init(void);
uint64_t clock_us(void);
uint64_t clock_ticks(void); /* the counter itself */

/* console.c: to ConOut, which the firmware also sends to the serial line. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_progress(const char *what, uint64_t done, uint64_t of); /* one line, redrawn */
/* The next key within wait_ms; 0: none. Unicode, or 0x1000 + scan code. */
unsigned key_wait(unsigned wait_ms);

/* rt.c */
void *uefi_alloc(size_t len); /* zeroed; NULL when there is none; freed with the program */
void uefi_free(void *p);
bool guid_equal(const EFI_GUID *a, const EFI_GUID *b);
#define STATUS_TEXT_MAX 32
const char *status_word(EFI_STATUS status);

#endif
