"""Enter the kernel by the door of 32-bit programs.

sealed: died|PermissionError
plain: may
"""


def attack(world):
    import ctypes
    import mmap
    import platform

    library = ctypes.CDLL(None, use_errno=True)
    if platform.machine() != "x86_64":
        raise PermissionError("there is no such door")
    code = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    code.write(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")  # mov eax, 20 (getpid of i386); int 0x80; ret
    number = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(code)))()
    return "breached" if number > 0 else "refused"
