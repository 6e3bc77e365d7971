/* Including this header turns every later DEFINE_GUID of the source file into a definition. */
#ifndef INITGUID
#define INITGUID
#endif
#include <guiddef.h>
