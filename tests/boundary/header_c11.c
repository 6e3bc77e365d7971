/* @HEADER@ needs nothing before it, in either language. The build makes two copies of this file for each header. */
#include <@HEADER@>

#ifdef __cplusplus
int included_alone_cpp_@NAME@() { return 1; }
#else
int included_alone_c_@NAME@(void) { return 1; }
#endif
