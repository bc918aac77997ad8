/* The EFI headers of the amd64 package have no aarch64 binding; with clang's *-windows targets both
 * architectures have the same types and the same calling convention attribute (none). */
#include <x86_64/efibind.h>
