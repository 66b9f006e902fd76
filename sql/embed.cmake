# Writes the text of every .sql file below ROOT into OUTPUT as a table: "queries/claim_jobs" -> text.
file(GLOB files RELATIVE ${ROOT} ${ROOT}/migrations/*.sql ${ROOT}/queries/*.sql ${ROOT}/metrics/*.sql)
list(SORT files)
set(rows "")
foreach(name IN LISTS files)
  file(READ ${ROOT}/${name} text)
  string(REGEX REPLACE "\\.sql$" "" key ${name})
  string(APPEND rows "    {\"${key}\", R\"~sql~(${text})~sql~\"},\n")
endforeach()
file(WRITE ${OUTPUT} "// Generated from sql/ by sql/embed.cmake.
#include \"batch/pg/sql_table.h\"

namespace ferry::pg {

std::span<const SqlText> SqlTable() {
  static constexpr SqlText kTable[] = {
${rows}  };
  return kTable;
}

}  // namespace ferry::pg
")
