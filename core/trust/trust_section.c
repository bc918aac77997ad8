/* A section of a PE program in memory. */
#include "core/trust/trust.h"

#define DOS_BYTES     64
#define SECTION_BYTES 40
#define SECTIONS_MAX  96 /* what the specification says that loaders take */

/* From the DOS header to the first section header; *count is how many there are. */
static struct lb_rd find_headers(struct lb_bytes image, unsigned *count) {
    struct lb_rd dos = lb_rd(image), pe;
    bool is_dos = lb_rd_u16(&dos) == 0x4d5a; /* "MZ" */
    lb_rd_skip(&dos, DOS_BYTES - 2 - 4);
    pe = lb_rd(lb_bytes_after(image, lb_rd_u32le(&dos)));
    bool is_pe = lb_rd_u32(&pe) == 0x50450000; /* "PE", and two zeros */
    lb_rd_skip(&pe, 2);
    *count = lb_rd_u16le(&pe);
    lb_rd_skip(&pe, 12);
    uint16_t optional_bytes = lb_rd_u16le(&pe);
    lb_rd_skip(&pe, 2u + optional_bytes);
    pe.bad = pe.bad || dos.bad || !is_dos || !is_pe || *count > SECTIONS_MAX;
    return pe;
}

static bool take(struct lb_bytes image, struct lb_rd *header, struct lb_bytes *out) {
    uint32_t size = lb_rd_u32le(header), at = lb_rd_u32le(header);
    struct lb_rd contents = lb_rd(image);
    lb_rd_skip(header, SECTION_BYTES - 16);
    lb_rd_skip(&contents, at);
    *out = lb_bytes_trim_nul(lb_rd_bytes(&contents, size));
    return lb_rd_ok(header) && lb_rd_ok(&contents);
}

enum lb_trust_section lb_trust_section(struct lb_bytes image, struct lb_bytes *out) {
    struct lb_bytes name = lb_bytes_of_text("." LB_TRUST_SECTION), found = {0};
    enum lb_trust_section result = LB_TRUST_NONE;
    unsigned count;
    struct lb_rd header = find_headers(image, &count);
    for (unsigned i = 0; i < count && lb_rd_ok(&header); i++) {
        if (!lb_bytes_equal(lb_rd_bytes(&header, name.len), name)) {
            lb_rd_skip(&header, SECTION_BYTES - name.len);
            continue;
        }
        if (result != LB_TRUST_NONE || !take(image, &header, &found))
            return LB_TRUST_DAMAGED;
        result = LB_TRUST_FOUND;
    }
    if (!lb_rd_ok(&header))
        return LB_TRUST_DAMAGED;
    if (result == LB_TRUST_FOUND)
        *out = found;
    return result;
}
