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
uint64_t clock_us(void);    /* microseconds since clock_init; monotonic */
uint64_t clock_ticks(void); /* the counter itself */

/* console.c: to ConOut, which the firmware also sends to the serial line. */
/* Formats as lb_text_add, at most 1023 bytes a call; no line end is added. */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void say_progress(const char *what, uint64_t done, uint64_t of); /* one line, redrawn */
/* The next key, Unicode or 0x1000 + scan code; a 0 is a byte of that value on a serial line. False:
 * none has come. */
bool key_read(unsigned *key);
void keys_discard(void); /* what was typed before we asked */

/* rt.c. Zeroed memory; NULL when there is none. What is freed is wiped. */
void *uefi_alloc(size_t len);
void uefi_free(void *p);  /* wipes and frees what uefi_alloc gave; p may be NULL */
void uefi_free_all(void); /* all that was allocated, when the program ends */
void uefi_wipe_all(void); /* the same, and it stays allocated: the operating system takes over */
void pool_free(void *p);  /* what the firmware allocated for us */

/* The machine restarts when nothing of ours has run for five minutes: a driver of the firmware
 * hangs. Fed where we wait. The loader starts with it as from a boot manager, and rules it then. */
void watchdog_begin(void);
/* Gives it five minutes again; does nothing after leave or end. */
void watchdog_feed(void);
void watchdog_leave(void); /* set once more, and not fed: the loader starts */
void watchdog_end(void);   /* off: the machine does not restart */

/* Says why, and after a moment the machine starts anew. */
_Noreturn void restart(const char *why);

bool guid_equal(const EFI_GUID *a, const EFI_GUID *b); /* the same 16 bytes */
#define STATUS_TEXT_MAX 32
const char *status_word(EFI_STATUS status); /* for people: "not found", ...; a constant */

#endif
