import { language, setLanguage, t } from "../i18n";

export function LanguageSwitch() {
  const other = language.value === "en" ? "zh-CN" : "en";
  return (
    <button
      type="button"
      class="quiet"
      lang={other}
      title={t("language_label")}
      onClick={() => setLanguage(other)}
    >
      {t("language")}
    </button>
  );
}
