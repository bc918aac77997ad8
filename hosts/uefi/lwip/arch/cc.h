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
/* rt.c. Where it was called tells which of the 400 assertions it was. */
_Noreturn void stack_assert_failed(void);
#define LWIP_PLATFORM_ASSERT(x) stack_assert_failed()

#endif
