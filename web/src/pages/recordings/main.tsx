import { current } from "../../account/account";
import { mount } from "../../ui/mount";
import "../../recordings/recordings.css";
import "./archive.css";
import { RecordingsPage } from "./RecordingsPage";

if (current()) mount(RecordingsPage);
else location.replace("/");
