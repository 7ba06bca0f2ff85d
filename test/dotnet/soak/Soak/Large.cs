namespace Soak;

/// <summary>Large arrays, of bytes, numbers and references, and long texts, some of which live for long.</summary>
sealed class Large : Load
{
    const int Living = 16;
    readonly (object? Held, int Stamp)[] living = new (object?, int)[Living];
    int made;

    public override void Step(Random chance)
    {
        ref (object? Held, int Stamp) place = ref living[chance.Next(Living)];
        Check.That(IsWhole(place));
        place = (null, 0);
        int stamp = ++made;
        place = (Make(stamp, chance), stamp);
        Check.That(IsWhole(living[chance.Next(Living)]));
        for (int i = 0; i < 20; i++)
        {
            var waste = new byte[chance.Next(85_000, 400_000)];
            Check.That(waste[0] == 0 && waste[^1] == 0);
        }
    }

    static object Make(int stamp, Random chance)
    {
        switch (chance.Next(5))
        {
            case 0:
                return Check.Filled(chance.Next(85_000, chance.Next(10) == 0 ? 16_000_000 : 1_000_000), stamp);
            case 1:
                var texts = new string[chance.Next(11_000, 100_000)];
                for (int i = 0; i < texts.Length; i += 7)
                {
                    texts[i] = $"{stamp + i}";
                }
                return texts;
            case 2:
                var numbers = new double[chance.Next(11_000, 200_000)];
                numbers.AsSpan().Fill(stamp);
                return numbers;
            case 3:
                return new string((char)('a' + stamp % 26), chance.Next(50_000, 500_000));
            default:
                var pairs = new (int, object)[chance.Next(6_000, 50_000)];
                for (int i = 0; i < pairs.Length; i += 3)
                {
                    pairs[i] = (stamp, stamp + i);
                }
                return pairs;
        }
    }

    static bool IsWhole((object? Held, int Stamp) place)
    {
        int stamp = place.Stamp;
        return place.Held switch
        {
            null => true,
            byte[] bytes => Check.IsFilled(bytes, stamp),
            string[] texts => texts.Select((text, i) => i % 7 == 0 ? text == $"{stamp + i}" : text == null).All(same => same),
            double[] numbers => !numbers.AsSpan().ContainsAnyExcept((double)stamp),
            string text => !text.AsSpan().ContainsAnyExcept((char)('a' + stamp % 26)),
            (int, object)[] pairs => pairs.Select((pair, i) => i % 3 == 0 ? pair.Item1 == stamp && (int)pair.Item2 == stamp + i : pair.Item2 == null).All(same => same),
            _ => false,
        };
    }

    public override void Finish() => Check.That(living.All(IsWhole));
}
