/* Every image that is built against these headers says so: which layout of the structures it holds, in a note that the
 * loader reads before it maps the image (src/app/drivers/layout_note.hpp). An image with another layout, or with none,
 * would look for members where they are not.
 *
 * Raise the number when a size, an offset, an enumerator or an inlined routine that drivers compile in changes. The note
 * is written by the assembler: it is the same in C and in C++, nothing can be left unused, and a version is there once
 * however many sources an image has. 'R' keeps it when the linker throws away what nobody refers to. */
#ifndef WFPTAP_NT_LAYOUT_VERSION_H
#define WFPTAP_NT_LAYOUT_VERSION_H

#define WFPTAP_LAYOUT_VERSION 1

#ifdef __ELF__
#define WFPTAP_LAYOUT_TEXT_OF(number) #number
#define WFPTAP_LAYOUT_TEXT(number) WFPTAP_LAYOUT_TEXT_OF(number)
/* clang-format off */
__asm__(
    ".ifndef .Lwfptap_layout_noted\n"
    ".set .Lwfptap_layout_noted, 1\n"
    ".pushsection .note.wfptap,\"aGR\",@note,wfptap_layout_" WFPTAP_LAYOUT_TEXT(WFPTAP_LAYOUT_VERSION) ",comdat\n"
    ".balign 4\n"
    ".long 7, 4, 1\n" /* bytes of the owner's name and of the content; type */
    ".asciz \"wfptap\"\n"
    ".balign 4\n"
    ".long " WFPTAP_LAYOUT_TEXT(WFPTAP_LAYOUT_VERSION) "\n"
    ".popsection\n"
    ".endif\n");
/* clang-format on */
#endif

#endif
