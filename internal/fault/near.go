package fault

// Near gives the word of words that a person who typed got most likely meant, or "" where none is close. A third of the
// letters may differ.
func Near(got string, words []string) string {
	best, limit := "", max(1, (len(got)+1)/3)
	for _, w := range words {
		if d := distance(got, w); d < limit || d == limit && best == "" {
			best, limit = w, d
		}
	}
	if limit >= len(got) {
		return ""
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to make b of a.
func distance(a, b string) int {
	before, last, row := []int(nil), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, make([]int, len(b)+1)
	}
	return last[len(b)]
}
