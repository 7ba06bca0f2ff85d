/* gcbench.c in Java. */
public final class GCBench {
    static final int STRETCH_DEPTH = 18, LONG_LIVED_DEPTH = 16, LEAST_DEPTH = 4, MOST_DEPTH = 16, ARRAY_LENGTH = 500000;

    static final class Node {
        Node left, right;
        int i, j;
    }

    static int nodesOf(int depth) {
        return (2 << depth) - 1;
    }

    static void populate(Node node, int depth) {
        if (depth == 0) return;
        node.left = new Node();
        node.right = new Node();
        populate(node.left, depth - 1);
        populate(node.right, depth - 1);
    }

    static Node populatedTree(int depth) {
        Node tree = new Node();
        populate(tree, depth);
        return tree;
    }

    static Node makeTree(int depth) {
        if (depth == 0) return new Node();
        Node left = makeTree(depth - 1), right = makeTree(depth - 1);
        Node node = new Node();
        node.left = left;
        node.right = right;
        return node;
    }

    static void use(Node tree) {
        if ((tree.left == null) != (tree.right == null)) throw new IllegalStateException("a tree is broken");
    }

    static int count(Node tree) {
        return tree == null ? 0 : 1 + count(tree.left) + count(tree.right);
    }

    public static void main(String[] arguments) {
        use(makeTree(STRETCH_DEPTH));
        Node tree = populatedTree(LONG_LIVED_DEPTH);
        double[] array = new double[ARRAY_LENGTH];
        for (int i = 0; i < ARRAY_LENGTH / 2; i++) array[i] = 1.0 / (i + 1);
        for (int depth = LEAST_DEPTH; depth <= MOST_DEPTH; depth += 2) {
            int trees = 2 * nodesOf(STRETCH_DEPTH) / nodesOf(depth);
            for (int i = 0; i < trees; i++) use(populatedTree(depth));
            for (int i = 0; i < trees; i++) use(makeTree(depth));
        }
        if (count(tree) != nodesOf(LONG_LIVED_DEPTH) || array[1000] != 1.0 / 1001)
            throw new IllegalStateException("what should have stayed did not");
    }
}
