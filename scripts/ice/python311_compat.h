/* SPDX-License-Identifier: AGPL-3.0-or-later
 *
 * Lets Ice 3.6.5, written for Python 2 and early 3, build on Python 3.11.
 *
 * Ice reads PyThreadState_GET()->frame to find the Python frame that called it. Python 3.11 made the thread state opaque but
 * offers the frame through PyEval_GetFrame(); a small object with a member called `frame` stands in for the thread state.
 * The header is included before every C++ file by `-include` and is empty for C.
 */
#ifdef __cplusplus
#include <Python.h>
#include <frameobject.h>

namespace omero_openhcs_ice
{
struct FrameHolder
{
    PyFrameObject* frame;
};

inline FrameHolder* currentFrame()
{
    static thread_local FrameHolder holder;
    holder.frame = PyEval_GetFrame();
    return &holder;
}
}

#undef PyThreadState_GET
#define PyThreadState_GET() omero_openhcs_ice::currentFrame()
#endif
