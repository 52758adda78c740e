package migrate

// TablesOf is for tests.
var TablesOf = tablesOf
