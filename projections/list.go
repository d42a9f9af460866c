package projections

// list is a growing list that never moves its elements, so that growing costs neither a copy nor twice the memory. With
// elements that hold no pointers the garbage collector passes it over.
type list[T any] struct {
	pages [][]T
	count int
}

const pageSize = 1 << 12

func (l *list[T]) len() int { return l.count }

func (l *list[T]) at(i int) *T { return &l.pages[i/pageSize][i%pageSize] }

// add appends an element and returns its index.
func (l *list[T]) add(v T) int {
	if l.count%pageSize == 0 {
		l.pages = append(l.pages, make([]T, 0, pageSize))
	}
	last := &l.pages[len(l.pages)-1]
	*last = append(*last, v)
	l.count++
	return l.count - 1
}
