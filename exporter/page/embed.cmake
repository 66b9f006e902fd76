# Writes the text of page.html, page.css and all .js files below ROOT into OUTPUT.
file(READ ${ROOT}/page.html html)
file(READ ${ROOT}/page.css style)
file(GLOB scripts ${ROOT}/*.js)
list(SORT scripts)
set(script "\"use strict\";\n")
foreach(file IN LISTS scripts)
  file(READ ${file} text)
  string(APPEND script "${text}")
endforeach()
file(WRITE ${OUTPUT} "// Generated from exporter/page by exporter/page/embed.cmake.
#include \"exporter/page_files.h\"

namespace ferry::exporter {

PageFiles EmbeddedPageFiles() {
  return {.html = R\"~page~(${html})~page~\",
          .style = R\"~page~(${style})~page~\",
          .script = R\"~page~(${script})~page~\"};
}

}  // namespace ferry::exporter
")
