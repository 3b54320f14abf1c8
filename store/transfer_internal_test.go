package store

import "context"

// TransferTables lists the tables that are moved, with the place of each column in the primary key or 0, and those that
// are left.
func TransferTables(ctx context.Context) (moved map[string]map[string]int, left []string, err error) {
	s, err := readSchema(ctx)
	if err != nil {
		return nil, nil, err
	}
	moved = map[string]map[string]int{}
	for _, t := range s.tables {
		moved[t.name] = map[string]int{}
		for _, column := range t.columns {
			moved[t.name][column] = 0
		}
		for i, column := range t.keyColumns() {
			moved[t.name][column] = i + 1
		}
	}
	return moved, notMoved, nil
}
