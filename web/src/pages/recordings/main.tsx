import { entered } from "../../account/entered";
import { mount } from "../../ui/mount";
import "../../recordings/recordings.css";
import "./archive.css";
import { RecordingsPage } from "./RecordingsPage";

if (await entered()) mount(RecordingsPage, "recordings");
