// Moving the start of the data, as the NDIS functions of the same names do; they are thin shells over these.
//
// Retreat goes back into the used space and shows what is there, whoever owns those bytes: callouts count on finding
// the pulled headers. Without enough used space it puts a new MDL in front, and the moved-back bytes may then
// straddle two.
#pragma once

#include <cstddef>
#include <cstdint>

#include "ndis.h"

namespace wfp::ndis {

// When memory has to be added: `back_fill` bytes of used space more, and the MDL from `allocate_mdl` when it is given.
// False: no memory, nothing changed.
bool retreat(NET_BUFFER& nb, std::size_t delta, std::size_t back_fill = 0,
             NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR allocate_mdl = nullptr);
// Every NET_BUFFER of the list, or none: when one fails, `free_mdl` frees what `allocate_mdl` gave for those before it.
bool retreat(NET_BUFFER_LIST& nbl, std::size_t delta, std::size_t back_fill = 0,
             NET_BUFFER_ALLOCATE_MDL_HANDLER_PTR allocate_mdl = nullptr,
             NET_BUFFER_FREE_MDL_HANDLER_PTR free_mdl = nullptr);

// `delta` is at most DataLength; more is cut down to it. With `free_mdls`, MDLs that a retreat put in front are freed
// once the data starts behind them, through `free_mdl` when it is given.
void advance(NET_BUFFER& nb, std::size_t delta, bool free_mdls = false,
             NET_BUFFER_FREE_MDL_HANDLER_PTR free_mdl = nullptr);
void advance(NET_BUFFER_LIST& nbl, std::size_t delta, bool free_mdls = false,
             NET_BUFFER_FREE_MDL_HANDLER_PTR free_mdl = nullptr);

// By how many bytes drivers have moved the data start of a packet's NET_BUFFERs back (ahead: below zero) with the Ndis
// functions, and not undone it; of the first that is not 0. What the stack moves does not count.
std::int64_t driver_shift(const NET_BUFFER_LIST& nbl) noexcept;
void note_driver_shift(NET_BUFFER& nb, std::int64_t back) noexcept;
void forget_driver_shift(NET_BUFFER& nb) noexcept;  // it was put right

}  // namespace wfp::ndis
