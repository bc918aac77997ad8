/* What shim asks of a program that it starts: its generation, which a revocation can name (SBAT.md
 * of shim, "SBAT metadata"). It goes up with a release that mends a hole in Secure Boot. */
#define SBAT_ABOUT "https://github.com/rhboot/shim/blob/main/SBAT.md"

__attribute__((used, section(".sbat"))) static const char sbat[] =
    "sbat,1,SBAT Version,sbat,1," SBAT_ABOUT "\nlunboot,1,Lunboot,lunboot," LB_VERSION ",none\n";
