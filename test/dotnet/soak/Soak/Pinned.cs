using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Soak;

/// <summary>Buffers that must not move: pinned by handles, by `fixed`, or made so. They are written through their addresses, and files are read into them.</summary>
sealed unsafe class Pinned : Load
{
    const int Living = 64;

    /// <summary>A buffer of one of the kinds, and the address that it had when it was made.</summary>
    sealed class Buffer
    {
        readonly byte[]? array;
        readonly string[]? texts;
        readonly GCHandle handle;
        readonly PinnedGCHandle<byte[]> typed;
        readonly nint address;
        readonly int stamp;

        public Buffer(int stamp, Random chance)
        {
            this.stamp = stamp;
            int length = chance.Next(1, chance.Next(8) == 0 ? 200_000 : 4000);
            switch (stamp % 4)
            {
                case 0:
                    array = new byte[length];
                    handle = GCHandle.Alloc(array, GCHandleType.Pinned);
                    Check.That(handle.AddrOfPinnedObject() == Address(array));
                    break;
                case 1:
                    array = new byte[length];
                    typed = new PinnedGCHandle<byte[]>(array);
                    Check.That((nint)typed.GetAddressOfArrayData() == Address(array));
                    break;
                case 2:
                    array = GC.AllocateUninitializedArray<byte>(length, pinned: true);
                    break;
                default:
                    texts = GC.AllocateArray<string>(1 + length / 100, pinned: true);
                    for (int i = 0; i < texts.Length; i++)
                    {
                        texts[i] = $"{stamp + i}";
                    }
                    address = (nint)Unsafe.AsPointer(ref texts[0]);
                    return;
            }
            address = Address(array);
            Check.Fill(new Span<byte>((void*)address, array.Length), stamp);
        }

        static nint Address(byte[] array) => (nint)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(array));

        public bool IsWhole() => array != null
            ? address == Address(array) && Check.IsFilled(array, stamp)
            : address == (nint)Unsafe.AsPointer(ref texts![0]) && texts.Select((text, i) => text == $"{stamp + i}").All(same => same);

        public void Free()
        {
            if (handle.IsAllocated)
            {
                handle.Free();
            }
            if (typed.IsAllocated)
            {
                typed.Dispose();
            }
        }
    }

    readonly Buffer[] living = new Buffer[Living];
    readonly string file = Path.GetTempFileName();
    readonly byte[] content = Check.Filled(100_000, 12345);
    int made;

    public Pinned() => File.WriteAllBytes(file, content);

    public override void Step(Random chance)
    {
        for (int i = 0; i < 8; i++)
        {
            ref Buffer place = ref living[chance.Next(Living)];
            if (place != null)
            {
                Check.That(place.IsWhole());
                place.Free();
            }
            place = new Buffer(++made, chance);
        }
        Hold(chance, made);
        using FileStream stream = new(file, FileMode.Open, FileAccess.Read, FileShare.Read, 1, made % 2 == 0);
        var read = new byte[content.Length];
        stream.ReadExactlyAsync(read).AsTask().Wait();
        Check.That(read.AsSpan().SequenceEqual(content));
    }

    static void Hold(Random chance, int stamp)
    {
        var array = new int[chance.Next(1, 1000)];
        string text = $"held {stamp}";
        fixed (int* numbers = array)
        fixed (char* letters = text)
        {
            for (int i = 0; i < array.Length; i++)
            {
                numbers[i] = stamp + i;
            }
            var waste = new List<object>();
            for (int i = 0; i < 200; i++)
            {
                waste.Add(new byte[i]);
            }
            if (stamp % 1024 == 0)
            {
                GC.Collect(stamp % 3);
            }
            Check.That(numbers[0] == stamp && numbers[array.Length - 1] == array[^1] && array[^1] == stamp + array.Length - 1 && letters[0] == 'h' && waste.Count == 200);
        }
    }

    public override void Finish()
    {
        Check.That(living.All(buffer => buffer == null || buffer.IsWhole()));
        foreach (Buffer? buffer in living)
        {
            buffer?.Free();
        }
        File.Delete(file);
    }
}
