/* lwIP's compiler and platform settings. */
#ifndef LB_LWIP_CC_H
#define LB_LWIP_CC_H

#define BYTE_ORDER LITTLE_ENDIAN
#define X8_F       "02x"
#define U16_F      "u"
#define S16_F      "d"
#define X16_F      "x"
#define U32_F      "u"
#define S32_F      "d"
#define X32_F      "x"
#define SZT_F      "zu"

#define LWIP_PLATFORM_DIAG(x)
_Noreturn void lb_assert_failed(const char *file, int line, const char *what);
#define LWIP_PLATFORM_ASSERT(x) lb_assert_failed(__FILE__, __LINE__, "")

#endif
