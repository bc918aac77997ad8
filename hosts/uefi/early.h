/* The compiler includes this before the files that run first (EARLY in the Makefile), when the
 * program's code and constants are not yet in their place (start.c). It puts their functions into a
 * section that is not deflated. They may use no constant, and call no function of other files:
 * tools/pack-program checks both. */
#ifndef LB_UEFI_EARLY_H
#define LB_UEFI_EARLY_H

#pragma code_seg(".early")

#endif
