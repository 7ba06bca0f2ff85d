/* binary_trees.c in Java. */
public final class BinaryTrees {
    static final class Node {
        Node left, right;
    }

    static Node build(int depth) {
        if (depth == 0) return new Node();
        Node left = build(depth - 1), right = build(depth - 1);
        Node node = new Node();
        node.left = left;
        node.right = right;
        return node;
    }

    static long count(Node tree) {
        return tree.left == null ? 1 : 1 + count(tree.left) + count(tree.right);
    }

    public static void main(String[] arguments) {
        int depth = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 18;
        long nodes = count(build(depth + 1));
        Node kept = build(depth);
        for (int d = 4; d <= depth; d += 2)
            for (long left = 16L << (depth - d); left > 0; left--) nodes += count(build(d));
        nodes += count(kept);
        System.out.println("nodes " + nodes);
    }
}
