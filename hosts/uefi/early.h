/* Included before the files that run before the program's code and constants are in their place
 * (start.c): what they compile to is in a section of its own, which is in the file as it is. They
 * may use no constant, and call nothing of other files. Both is checked by tools/pack-program. */
#ifndef LB_UEFI_EARLY_H
#define LB_UEFI_EARLY_H

#pragma code_seg(".early")

#endif
