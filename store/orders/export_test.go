package orders

// PageSQL is for tests.
const PageSQL = pageSQL
